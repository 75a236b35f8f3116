// Reads patches.
#include "fuzz/frame.h"
#include "patch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    odp::read_patch(odp_fuzz::patch_of_input(data, size));
  } catch (const odp::Error&) {
  }
  return 0;
}
