// Go with vishvananda/netlink: `go_netlink flintlock|lean KIND`, in a network namespace that has
// parent0 or br0. Takes commands from standard input and answers each with one line of JSON.
//
// "flintlock" makes a device with the calls that flintlock makes, "lean" with as few as the library
// needs. Neither gives it an identity or a tag, nor reads back whether it is as asked.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

const goroutines = 16

var (
	lean  bool
	kind  string
	names []string
)

func check(step string, err error) {
	if err != nil {
		fmt.Printf("{\"error\":%q}\n", step+": "+err.Error())
		os.Exit(1)
	}
}

func cpuTime() time.Duration {
	var used syscall.Rusage
	check("getrusage", syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func microseconds(duration time.Duration, count int) float64 {
	return float64(duration.Nanoseconds()) / 1e3 / float64(count)
}

func measure(count int, work func()) {
	cpu, start := cpuTime(), time.Now()
	work()
	wall := time.Since(start)
	used := cpuTime() - cpu
	fmt.Printf("{\"wallUs\":%.2f,\"cpuUs\":%.2f}\n", microseconds(wall, count), microseconds(used, count))
}

func newLink(name string, parent netlink.Link) netlink.Link {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	if kind == "macvtap" {
		attrs.ParentIndex = parent.Attrs().Index
		attrs.MTU = parent.Attrs().MTU
		attrs.TxQLen = parent.Attrs().TxQLen
		return &netlink.Macvtap{Macvlan: netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}}
	}
	return &netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TAP}
}

func parentName() string {
	if kind == "macvtap" {
		return "parent0"
	}
	return "br0"
}

// What flintlock does: look up, add, look up, up, look up, and for a tap the master.
func makeAsFlintlock(name string) {
	parent, err := netlink.LinkByName(parentName())
	check("look up the parent", err)
	check("add", netlink.LinkAdd(newLink(name, parent)))
	link, err := netlink.LinkByName(name)
	check("look up", err)
	check("set up", netlink.LinkSetUp(link))
	link, err = netlink.LinkByName(name)
	check("look up", err)
	if kind == "tap" {
		check("attach", netlink.LinkSetMaster(link, parent))
	}
}

func makeLean(name string, parent netlink.Link) {
	link := newLink(name, parent)
	if kind == "macvtap" {
		link.Attrs().Flags = net.FlagUp
		check("add", netlink.LinkAdd(link))
		return
	}
	link.Attrs().MasterIndex = parent.Attrs().Index
	check("add", netlink.LinkAdd(link))
	check("set up", netlink.LinkSetUp(link))
}

func makeLinks(count int) {
	fresh := make([]string, count)
	for at := range fresh {
		fresh[at] = fmt.Sprintf("go%d", len(names)+at)
	}
	measure(count, func() {
		if !lean {
			for _, name := range fresh {
				makeAsFlintlock(name)
			}
			return
		}
		parent, err := netlink.LinkByName(parentName())
		check("look up the parent", err)
		for _, name := range fresh {
			makeLean(name, parent)
		}
	})
	names = append(names, fresh...)
}

func deleteLink(name string) {
	link, err := netlink.LinkByName(name)
	check("look up", err)
	check("delete", netlink.LinkDel(link))
}

func takeNames(count int) []string {
	taken := names[len(names)-count:]
	names = names[:len(names)-count]
	return taken
}

func deleteEach(count int) {
	taken := takeNames(count)
	measure(count, func() {
		for _, name := range taken {
			deleteLink(name)
		}
	})
}

func deleteParallel(count int) {
	taken := takeNames(count)
	measure(count, func() {
		work := make(chan string)
		var all sync.WaitGroup
		for worker := 0; worker < goroutines; worker++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for name := range work {
					deleteLink(name)
				}
			}()
		}
		for _, name := range taken {
			work <- name
		}
		close(work)
		all.Wait()
	})
}

func list(times int) {
	measure(times, func() {
		for time := 0; time < times; time++ {
			_, err := netlink.LinkList()
			check("list", err)
		}
	})
}

func get(times int) {
	measure(times, func() {
		for time := 0; time < times; time++ {
			_, err := netlink.LinkByName(names[time%len(names)])
			check("get", err)
		}
	})
}

func main() {
	lean = os.Args[1] == "lean"
	kind = os.Args[2]
	commands := map[string]func(int){
		"make-awaited": makeLinks, "list": list, "get": get,
		"delete-each": deleteEach, "delete-parallel": deleteParallel,
	}
	input := bufio.NewReader(os.Stdin)
	for {
		var verb string
		var count int
		if _, err := fmt.Fscanln(input, &verb, &count); err != nil {
			return
		}
		commands[verb](count)
	}
}
