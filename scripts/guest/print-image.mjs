// Prints where what guests boot is, the kernel and the initramfs; makes it first, if need be.
import { main } from "../toolchain.mjs";
import { guestImage } from "./image.mjs";

await main(async () => {
  const { kernel, initrd } = await guestImage();
  console.log(kernel, initrd);
});
