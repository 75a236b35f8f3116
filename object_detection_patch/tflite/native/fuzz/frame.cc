#include "fuzz/frame.h"

#include <algorithm>

#include "sha256.h"

namespace odp_fuzz {
namespace {

constexpr uint8_t kVersion2 = 1;
constexpr uint8_t kVersion3 = 8;
constexpr uint8_t kVersion4 = 16;
constexpr uint8_t kSigned = 2;
constexpr uint8_t kFile = 4;
constexpr size_t kChecksumBytes = 32;
constexpr size_t kSignedBytes = 96;

template <class T>
void put(Bytes& out, T value) {
  uint8_t bytes[sizeof value];
  odp::store(bytes, value);
  out.insert(out.end(), bytes, bytes + sizeof bytes);
}

void put(Bytes& out, odp::Span bytes) {
  out.insert(out.end(), bytes.data, bytes.data + bytes.size);
}

uint32_t adler32_of(odp::Span bytes) {
  uint32_t low = 1;
  uint32_t high = 0;
  for (size_t i = 0; i < bytes.size; ++i) {
    low = (low + bytes.data[i]) % 65521;
    high = (high + low) % 65521;
  }
  return high << 16 | low;
}

// A zlib stream of blocks that are not compressed.
Bytes deflated(odp::Span raw) {
  constexpr size_t kMost = 0xffff;
  Bytes out = {0x78, 0x01};
  size_t at = 0;
  do {
    const size_t part = std::min(kMost, raw.size - at);
    out.push_back(at + part == raw.size);
    put(out, static_cast<uint16_t>(part));
    put(out, static_cast<uint16_t>(~part));
    put(out, {raw.data + at, part});
    at += part;
  } while (at < raw.size);
  const uint32_t sum = adler32_of(raw);
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<uint8_t>(sum >> shift));
  }
  return out;
}

Bytes framed(uint8_t letter, uint32_t version, uint32_t flags, odp::Span raw,
             odp::Span rest) {
  const Bytes stored = deflated(raw);
  Bytes out = {0x89, 'O', 'D', letter, '\r', '\n', 0x1a, '\n'};
  put(out, version);
  put(out, static_cast<uint32_t>(stored.size()));
  put(out, static_cast<uint32_t>(raw.size));
  put(out, flags);
  put(out, uint64_t{32} + stored.size() + rest.size + kChecksumBytes);
  put(out, {stored.data(), stored.size()});
  put(out, rest);
  out.resize(out.size() + kChecksumBytes);
  repair_checksum(out);
  return out;
}

}  // namespace

Bytes patch_file(odp::Span header, odp::Span sections, uint32_t version,
                 bool is_signed) {
  Bytes rest(sections.data, sections.data + sections.size);
  if (is_signed) rest.resize(rest.size() + kSignedBytes);
  return framed('P', version, is_signed ? 1 : 0, header,
                {rest.data(), rest.size()});
}

Bytes sidecar_file(odp::Span body, uint32_t version) {
  return framed('B', version, 0, body, {});
}

void repair_checksum(Bytes& file) {
  if (file.size() < kChecksumBytes) return;
  const size_t size = file.size() - kChecksumBytes;
  const odp::Digest digest = odp::sha256(file.data(), size);
  std::copy(digest.begin(), digest.end(), file.end() - kChecksumBytes);
}

Bytes patch_of_input(const uint8_t* data, size_t size) {
  if (size < 3) return {};
  const uint8_t flags = data[0];
  if (flags & kFile) {
    Bytes file(data + 1, data + size);
    repair_checksum(file);
    return file;
  }
  const size_t header =
      std::min<size_t>(odp::load<uint16_t>(data + 1), size - 3);
  return patch_file({data + 3, header}, {data + 3 + header, size - 3 - header},
                    flags & kVersion4   ? 4
                    : flags & kVersion3 ? 3
                    : flags & kVersion2 ? 2
                                        : 1,
                    (flags & kSigned) != 0);
}

Bytes sidecar_of_input(const uint8_t* data, size_t size) {
  if (size < 1) return {};
  if (data[0] & kFile) {
    Bytes file(data + 1, data + size);
    repair_checksum(file);
    return file;
  }
  return sidecar_file({data + 1, size - 1}, data[0] & kVersion2 ? 2 : 1);
}

}  // namespace odp_fuzz
