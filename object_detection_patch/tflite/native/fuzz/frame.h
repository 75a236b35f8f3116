// Inputs of a fuzzer to files: what a fuzzer cannot guess (compression,
// lengths, checksums) is made, so that it reaches what lies behind.
#ifndef OD_PATCH_FUZZ_FRAME_H_
#define OD_PATCH_FUZZ_FRAME_H_

#include <vector>

#include "bytes.h"

namespace odp_fuzz {

using Bytes = std::vector<uint8_t>;

// A patch of any version from an inflated header and its sections.
Bytes patch_file(odp::Span header, odp::Span sections, uint32_t version,
                 bool is_signed);

// A sidecar from its inflated body.
Bytes sidecar_file(odp::Span body, uint32_t version);

// Sets the checksum at the end of a file right, if it is long enough.
void repair_checksum(Bytes& file);

// An input is: a byte of flags (bit 0: version 2, bit 1: signed, bit 2: the
// rest is a file as it is, bit 3: version 3, bit 4: version 4), u16 bytes of the
// header, header, sections.
Bytes patch_of_input(const uint8_t* data, size_t size);

// An input is: a byte of flags (bit 0: version 2, bit 2: the rest is a file as
// it is), body.
Bytes sidecar_of_input(const uint8_t* data, size_t size);

}  // namespace odp_fuzz

#endif  // OD_PATCH_FUZZ_FRAME_H_
