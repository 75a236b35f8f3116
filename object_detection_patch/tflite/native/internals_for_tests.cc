// What the tests look into, with C names; in no library that is shipped.
#include <string>

#include "half.h"
#include "labels_zip.h"
#include "mask.h"
#include "sha256.h"
#include "text.h"

#define ODP_TEST extern "C" __attribute__((visibility("default")))

// kind: 0 the fastest, 1 the portable one, 2 x86, 3 ARM. Returns 0 if this
// machine or build has no such one. The data is fed in pieces of `piece`.
ODP_TEST int odp_test_sha256(int kind, const uint8_t* data, size_t size,
                             size_t piece, uint8_t* digest) {
  odp::Sha256::Compress compress = odp::sha256_portable;
  if (kind == 2) compress = odp::sha256_x86();
  if (kind == 3) compress = odp::sha256_arm();
  if (compress == nullptr) return 0;
  odp::Sha256 hash = kind == 0 ? odp::Sha256() : odp::Sha256(compress);
  for (size_t at = 0; at < size; at += piece) {
    hash.update(data + at, size - at < piece ? size - at : piece);
  }
  const odp::Digest found = hash.digest();
  for (size_t i = 0; i < found.size(); ++i) digest[i] = found[i];
  return 1;
}

// kind: 0 the fastest, 1 the portable one.
ODP_TEST void odp_test_floats_of_halves(int kind, const uint16_t* halves,
                                        float* floats, size_t count) {
  if (kind == 0) odp::floats_of_halves(halves, floats, count);
  if (kind == 1) odp::floats_of_halves_portable(halves, floats, count);
}

// Returns whether all are finite; 1 for the portable one, which tells not.
ODP_TEST int odp_test_halves_of_floats(int kind, const float* floats,
                                       uint16_t* halves, size_t count) {
  if (kind == 0) return odp::halves_of_floats(floats, halves, count) ? 1 : 0;
  odp::halves_of_floats_portable(floats, halves, count);
  return 1;
}

// Whether a text (0) or a name (1) is allowed, its length apart.
ODP_TEST int odp_test_text(const char* text, size_t size, int is_name) {
  const auto rule = is_name ? odp::TextRule::kName : odp::TextRule::kText;
  return odp::text_fault({text, size}, rule) == nullptr ? 1 : 0;
}

ODP_TEST void odp_test_transpose(const uint8_t* bits, size_t rows,
                                 size_t columns, size_t first, size_t last,
                                 uint8_t* out) {
  odp::transpose_bits({bits, rows, columns}, first, last, out);
}

ODP_TEST void odp_test_bytes_of_bits(const uint8_t* bits, uint64_t first,
                                     size_t count, uint8_t* out) {
  odp::bytes_of_bits(bits, first, count, out);
}

// The archive with `text`; `out` has room for it and 200 bytes more.
ODP_TEST size_t odp_test_zip(const char* text, size_t size, uint32_t start,
                             uint8_t* out) {
  const std::string zip = odp::labels_zip(std::string(text, size), start);
  zip.copy(reinterpret_cast<char*>(out), zip.size());
  return zip.size();
}
