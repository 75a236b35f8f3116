// The numbers of a patch, read from their sections piece by piece.
#ifndef OD_PATCH_SECTIONS_H_
#define OD_PATCH_SECTIONS_H_

#include <memory>
#include <vector>

#include "inflate.h"
#include "patch.h"

namespace odp {

// Numbers that are handled together: two such pieces fit in a level-1 cache.
constexpr size_t kPiece = 2048;

// The bytes of a section under its codec, without regard to what they mean.
class SectionBytes {
 public:
  explicit SectionBytes(const Entry& entry);

  // Exactly the next `size` bytes.
  void read(uint8_t* out, size_t size);
  // An Error unless the section ends here.
  void finish();

 private:
  const uint8_t* at_;
  std::unique_ptr<Inflater> inflater_;  // null for what is stored
};

// The values of an edit that is no mask, widened to float32; an Error
// if one is not finite.
class ValueReader {
 public:
  explicit ValueReader(const Entry& entry);

  void read(float* out, size_t count);
  // To be called after the last value.
  void finish();

 private:
  void read_halves(float* out, size_t count);
  void read_planes(float* out, size_t count);
  void read_grid(float* out, size_t count);
  void fill_block();
  void fill_codes();
  void read_codes(float* out, size_t count);
  [[noreturn]] void not_finite() const;

  const Entry& entry_;
  SectionBytes bytes_;
  // Byte planes: the numbers of a block that were not handed out yet.
  std::vector<uint8_t> block_;
  size_t block_at_ = 0;
  size_t left_ = 0;  // numbers, or bytes of codes, that were not fetched yet
  // Grid: lo and step of each group, and the bits of the next codes.
  std::vector<float> groups_;
  uint32_t group_ = 0;
  uint32_t group_left_ = 0;
  uint32_t bits_ = 0;
  uint32_t held_bits_ = 0;
};

// The bits of a mask in Keras order, as they lie in the section.
class MaskBits {
 public:
  explicit MaskBits(const Entry& entry);

  const uint8_t* data() const { return data_; }

 private:
  std::vector<uint8_t> inflated_;
  const uint8_t* data_;
};

// Every check of one section, in little memory.
void check_section(const Entry& entry);

}  // namespace odp

#endif  // OD_PATCH_SECTIONS_H_
