// SHA-256 (FIPS 180-4), by the processor's own instructions where it has them.
#ifndef OD_PATCH_SHA256_H_
#define OD_PATCH_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace odp {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  // Hashes `blocks` blocks of 64 bytes into the state.
  using Compress = void (*)(uint32_t state[8], const uint8_t* data,
                            size_t blocks);

  Sha256();
  explicit Sha256(Compress compress);

  void update(const uint8_t* data, size_t size);

  // Of everything so far; ends the use of this object.
  Digest digest();

 private:
  Compress compress_;
  uint32_t state_[8];
  uint8_t pending_[64];
  uint64_t total_ = 0;
};

// The digest of one piece of memory.
Digest sha256(const uint8_t* data, size_t size);

// For every processor.
void sha256_portable(uint32_t state[8], const uint8_t* data, size_t blocks);

// By instructions; null where this build or this processor has none.
Sha256::Compress sha256_x86();
Sha256::Compress sha256_arm();

extern const uint32_t kSha256Rounds[64];

}  // namespace odp

#endif  // OD_PATCH_SHA256_H_
