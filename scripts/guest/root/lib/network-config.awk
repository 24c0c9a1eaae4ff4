# Reads what flintap's networkConfigYaml writes; no YAML in general.
function finish() {
  if (id != "") print id, mac, (dhcp ? "dhcp" : address), gateway, servers
}
{
  match($0, /^ */)
  depth = RLENGTH
  gsub(/^ *(- )?|"/, "")
}
depth == 2 {
  finish()
  id = $0
  sub(/:$/, "", id)
  mac = address = gateway = servers = "-"
  dhcp = 0
}
depth >= 4 && /: / { key = $0; sub(/:.*/, "", key); value = $0; sub(/^[^:]*: /, "", value) }
depth >= 4 && key == "macaddress" { mac = value; key = "" }
depth == 4 && key == "dhcp4" { dhcp = value == "true"; key = "" }
depth == 4 && (key == "gateway4" || key == "gateway6") { gateway = value; key = "" }
depth == 4 && /^(addresses|nameservers):$/ { list = $0; next }
depth == 6 && list == "addresses:" { if (address == "-") address = $0 }
depth == 8 && list == "nameservers:" { servers = servers == "-" ? $0 : servers " " $0 }
END { finish() }
