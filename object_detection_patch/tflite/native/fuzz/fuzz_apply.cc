// Applies any patch to fixed bases. The first byte of an input chooses one.
#include "fuzz/world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const odp_fuzz::World& world = odp_fuzz::world_of(data[0]);
  const odp_fuzz::Bytes patch = odp_fuzz::patch_of_input(data + 1, size - 1);
  const odp_fuzz::Bytes sidecar =
      odp_fuzz::sidecar_file({world.body.data(), world.body.size()}, 1);
  odp_fuzz::apply(patch, sidecar, world.base, false);
  return 0;
}
