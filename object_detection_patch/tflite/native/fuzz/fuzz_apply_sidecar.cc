// Applies a fixed patch under any sidecar. The first byte of an input chooses
// the base; it is trusted, so that its hash in the sidecar may be any, and as
// long as the sidecar says, within reason.
#include <algorithm>

#include "fuzz/world.h"

namespace {

constexpr size_t kLengthAt = 64;  // in the body: u64 bytes of base.tflite
constexpr uint64_t kMostBase = 1u << 16;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const odp_fuzz::World& world = odp_fuzz::world_of(data[0]);
  const odp_fuzz::Bytes sidecar =
      odp_fuzz::sidecar_of_input(data + 1, size - 1);
  const odp_fuzz::Bytes patch = odp_fuzz::patch_file(
      {world.header.data(), world.header.size()},
      {world.sections.data(), world.sections.size()}, 2, false);
  odp_fuzz::Bytes base = world.base;
  if (size >= 2 + kLengthAt + 8) {
    const auto stated = odp::load<uint64_t>(data + 2 + kLengthAt);
    base.resize(static_cast<size_t>(std::min(stated, kMostBase)), 0x3c);
  }
  odp_fuzz::apply(patch, sidecar, base, true);
  return 0;
}
