// Lists the devices that flintap made here, and the frames they have carried.
//   node list-links.mjs [owner]
import { listLinks } from "flintap";

const [owner = "flintap"] = process.argv.slice(2);

for (const link of await listLinks({ owner, statistics: true })) {
  const { microvm = "-", interface: name = "-", createdAt } = link.tag ?? {};
  const frames = `${link.statistics?.rxPackets} in, ${link.statistics?.txPackets} out`;
  console.log(
    `${link.name} (${link.kind}) of ${microvm} ${name}: ${frames}, ${createdAt?.toISOString()}`,
  );
}
