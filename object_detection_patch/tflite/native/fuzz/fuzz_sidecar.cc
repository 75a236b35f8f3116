// Reads sidecars.
#include "fuzz/frame.h"
#include "sidecar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const odp_fuzz::Bytes file = odp_fuzz::sidecar_of_input(data, size);
  try {
    odp::read_sidecar({file.data(), file.size()});
  } catch (const odp::Error&) {
  }
  return 0;
}
