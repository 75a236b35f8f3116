#include "sha256.h"

#include <algorithm>
#include <cstring>

namespace odp {

// The first 32 bits behind the point of the cube roots of the first primes.
const uint32_t kSha256Rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

namespace {

// The same of the square roots of the first 8.
constexpr uint32_t kStart[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};
constexpr size_t kBlock = 64;

uint32_t big_endian(const uint8_t* from) {
  return uint32_t{from[0]} << 24 | uint32_t{from[1]} << 16 |
         uint32_t{from[2]} << 8 | uint32_t{from[3]};
}

void put_big_endian(uint8_t* to, uint32_t value) {
  for (int i = 0; i < 4; ++i) {
    to[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  }
}

uint32_t turned(uint32_t value, int bits) {
  return value >> bits | value << (32 - bits);
}

void fill_schedule(uint32_t words[64], const uint8_t* block) {
  for (int i = 0; i < 16; ++i) words[i] = big_endian(block + 4 * i);
  for (int i = 16; i < 64; ++i) {
    const uint32_t early = words[i - 15];
    const uint32_t late = words[i - 2];
    words[i] = words[i - 16] + words[i - 7] +
               (turned(early, 7) ^ turned(early, 18) ^ early >> 3) +
               (turned(late, 17) ^ turned(late, 19) ^ late >> 10);
  }
}

Sha256::Compress fastest() {
  if (const Sha256::Compress found = sha256_x86()) return found;
  if (const Sha256::Compress found = sha256_arm()) return found;
  return sha256_portable;
}

}  // namespace

void sha256_portable(uint32_t state[8], const uint8_t* data, size_t blocks) {
  uint32_t words[64];
  for (; blocks > 0; --blocks, data += kBlock) {
    fill_schedule(words, data);
    uint32_t v[8];
    std::memcpy(v, state, sizeof v);
    for (int i = 0; i < 64; ++i) {
      const uint32_t e = v[4];
      const uint32_t a = v[0];
      const uint32_t first = v[7] + kSha256Rounds[i] + words[i] +
                             (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) +
                             ((e & v[5]) ^ (~e & v[6]));
      const uint32_t second =
          (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) +
          ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
      std::memmove(v + 1, v, 7 * sizeof v[0]);
      v[4] += first;
      v[0] = first + second;
    }
    for (int i = 0; i < 8; ++i) state[i] += v[i];
  }
}

Sha256::Sha256() {
  static const Compress found = fastest();
  compress_ = found;
  std::memcpy(state_, kStart, sizeof state_);
}

Sha256::Sha256(Compress compress) : compress_(compress) {
  std::memcpy(state_, kStart, sizeof state_);
}

void Sha256::update(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const size_t held = total_ % kBlock;
  total_ += size;
  if (held > 0) {
    const size_t part = std::min(size, kBlock - held);
    std::memcpy(pending_ + held, data, part);
    if (held + part < kBlock) return;
    compress_(state_, pending_, 1);
    data += part;
    size -= part;
  }
  compress_(state_, data, size / kBlock);
  const size_t rest = size % kBlock;
  if (rest > 0) std::memcpy(pending_, data + size - rest, rest);
}

Digest Sha256::digest() {
  const uint64_t bits = 8 * total_;
  uint8_t end[2 * kBlock] = {0x80};
  // A 1, zeros, and the length as the last 8 bytes of a block.
  const size_t held = total_ % kBlock;
  const size_t size = (held < 56 ? 64 : 128) - held;
  put_big_endian(end + size - 8, static_cast<uint32_t>(bits >> 32));
  put_big_endian(end + size - 4, static_cast<uint32_t>(bits));
  update(end, size);
  Digest digest;
  for (int i = 0; i < 8; ++i) put_big_endian(digest.data() + 4 * i, state_[i]);
  return digest;
}

Digest sha256(const uint8_t* data, size_t size) {
  Sha256 hash;
  hash.update(data, size);
  return hash.digest();
}

}  // namespace odp
