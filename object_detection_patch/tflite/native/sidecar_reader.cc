// Bytes -> sidecar, in the order of tflite/FORMAT.md, Checks.
#include <algorithm>
#include <cstring>

#include "inflate.h"
#include "sha256.h"
#include "sidecar.h"
#include "sidecar_body.h"

namespace odp {
namespace {

constexpr uint8_t kMagic[8] = {0x89, 'O', 'D', 'B', '\r', '\n', 0x1a, '\n'};
constexpr size_t kPreludeBytes = 32;
constexpr size_t kChecksumBytes = 32;
constexpr uint32_t kMaxBodyBytes = 1u << 24;

// Fills in version and body, inflated.
void inflate_body(Span file, Sidecar& sidecar) {
  constexpr size_t kFrame = kPreludeBytes + kChecksumBytes;
  if (file.size < kFrame) {
    fail(OD_PATCH_SIDECAR, "A sidecar has at least ", kFrame,
         " bytes. Received: ", file.size, "; it is cut short or no sidecar.");
  }
  Cursor fields(file, OD_PATCH_SIDECAR, "A prelude");
  if (std::memcmp(fields.take(8), kMagic, 8) != 0) {
    fail(OD_PATCH_SIDECAR, "A sidecar begins with 89 4f 44 42 0d 0a 1a 0a. "
         "Received: ", hex(file.data, 8), ".");
  }
  const uint32_t version = fields.u32();
  if (version != 1 && version != kVersionWithSizes) {
    fail(OD_PATCH_SIDECAR_VERSION, "This program reads sidecars of the "
         "versions 1 and 2. Received: version ", version,
         "; install a program that knows it.");
  }
  const uint32_t stored = fields.u32();
  const uint32_t raw = fields.u32();
  const uint32_t reserved = fields.u32();
  const uint64_t stated = fields.u64();
  if (reserved != 0) {
    fail(OD_PATCH_SIDECAR, "Bytes 20 to 23 of a sidecar must be 0. Received: ",
         reserved, ".");
  }
  if (stated != file.size) {
    fail(OD_PATCH_SIDECAR, "This sidecar says that it has ", stated,
         " bytes. Received: ", file.size, "; fetch or copy it again.");
  }
  if (std::max(stored, raw) > kMaxBodyBytes || stored != file.size - kFrame) {
    fail(OD_PATCH_SIDECAR, "A sidecar's body must fill the file between "
         "prelude and checksum and have at most ", kMaxBodyBytes,
         " bytes. Received: ", stored, " stored, ", raw, " inflated.");
  }
  check_inflation("The body", stored, raw, OD_PATCH_SIDECAR);
  Inflater stream("The body", {file.data + kPreludeBytes, stored},
                  OD_PATCH_SIDECAR);
  sidecar.version = version;
  sidecar.body.resize(raw);
  stream.read(sidecar.body.data(), sidecar.body.size());
  stream.finish();
}

void check_checksum(Span file) {
  const size_t size = file.size - kChecksumBytes;
  const Digest found = sha256(file.data, size);
  if (std::memcmp(found.data(), file.data + size, found.size()) != 0) {
    fail(OD_PATCH_SIDECAR, "A sidecar ends with the SHA-256 of what stands "
         "before, ", hex(found.data(), found.size()), ". Received: ",
         hex(file.data + size, kChecksumBytes),
         "; the file is damaged, fetch or copy it again.");
  }
}

}  // namespace

Sidecar read_sidecar(Span file) {
  Sidecar sidecar;
  inflate_body(file, sidecar);
  read_sidecar_body(sidecar);
  check_sidecar(sidecar);
  check_checksum(file);
  return sidecar;
}

}  // namespace odp
