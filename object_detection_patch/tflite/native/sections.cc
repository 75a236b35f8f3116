#include "sections.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "half.h"
#include "lanes.h"

namespace odp {
namespace {

constexpr size_t kPlaneBlock = 8192;
// A buffer for bytes of a section: of codes, or of halves.
constexpr size_t kBufferBytes = 4096;

std::string name_of(const Entry& entry) {
  return "The section of " + shown(entry.target);
}

size_t width_of(const Entry& entry) {
  return entry.value_type == kFloat32 ? 4 : 2;
}

void check_padding(const Entry& entry, uint64_t bits, uint8_t last) {
  const auto unused = static_cast<uint32_t>((8 - bits % 8) % 8);
  if ((last & ((1u << unused) - 1)) != 0) {
    fail(OD_PATCH_PADDING, "The ", unused, " unused bits at the end of a "
         "section must be 0. Received others for ", shown(entry.target), ".");
  }
}

void check_singles(const Entry& entry) {
  for (uint32_t i = 0; i < entry.singles(); ++i) {
    if (!std::isfinite(entry.single(i))) {
      fail(OD_PATCH_NOT_FINITE, "Scalars of a patch must be finite. Received: "
           "NaN or Inf for ", shown(entry.target), ".");
    }
  }
  if (entry.kind == kAddSigned && !(entry.single(0) > 0)) {
    fail(OD_PATCH_SCALE, "A residual scale is stored as a number above 0. "
         "Received another for ", shown(entry.target), ".");
  }
}

void check_mask(const Entry& entry) {
  SectionBytes bytes(entry);
  uint8_t buffer[kBufferBytes];
  size_t part = 0;
  for (uint64_t left = entry.raw_bytes(); left > 0; left -= part) {
    part = static_cast<size_t>(std::min<uint64_t>(left, sizeof buffer));
    bytes.read(buffer, part);
  }
  bytes.finish();
  check_padding(entry, entry.elements, buffer[part - 1]);
}

void check_values(const Entry& entry) {
  ValueReader values(entry);
  float buffer[kPiece];
  for (size_t left = entry.elements; left > 0;) {
    const size_t part = std::min(left, kPiece);
    values.read(buffer, part);
    left -= part;
  }
  values.finish();
}

}  // namespace

uint64_t Entry::raw_bytes() const {
  if (value_type == kBits) return (uint64_t{elements} + 7) / 8;
  if (!is_grid()) return uint64_t{elements} * width_of(*this);
  return grid_numbers_bytes() + (uint64_t{grid.bits} * elements + 7) / 8;
}

SectionBytes::SectionBytes(const Entry& entry) : at_(entry.stored().data) {
  if (entry.codec != kStored) {
    inflater_ = std::make_unique<Inflater>(name_of(entry), entry.stored());
  }
}

void SectionBytes::read(uint8_t* out, size_t size) {
  if (inflater_) {
    inflater_->read(out, size);
  } else {
    // The directory was checked: what is stored has its raw size.
    std::memcpy(out, at_, size);
    at_ += size;
  }
}

void SectionBytes::finish() {
  if (inflater_) inflater_->finish();
}

ValueReader::ValueReader(const Entry& entry) : entry_(entry), bytes_(entry) {
  left_ = entry.elements;
  if (entry.codec == kPlanes) {
    block_.resize(kPlaneBlock * width_of(entry));
    block_at_ = block_.size();
  }
  if (!entry.is_grid()) return;
  const uint32_t groups = entry.grid.groups;
  groups_.resize(2 * size_t{groups});
  if (entry.value_type == kHalfGrid) {
    read_halves(groups_.data(), groups_.size());
  } else {
    bytes_.read(reinterpret_cast<uint8_t*>(groups_.data()),
                4 * groups_.size());
  }
  if (!all_finite(groups_.data(), groups_.size())) not_finite();
  for (uint32_t i = 0; i < groups; ++i) {
    if (groups_[groups + i] < 0) {
      fail(OD_PATCH_GRID_STEP, "The steps of a grid must be 0 or above. "
           "Received: one below for ", shown(entry.target), ".");
    }
  }
  group_left_ = entry.grid.inner;
  block_.resize(kBufferBytes);
  block_at_ = block_.size();
  left_ = static_cast<size_t>(entry.raw_bytes() - entry.grid_numbers_bytes());
}

void ValueReader::read(float* out, size_t count) {
  if (entry_.is_grid()) {
    read_grid(out, count);
  } else if (entry_.codec == kPlanes) {
    read_planes(out, count);
  } else if (entry_.value_type == kFloat32) {
    bytes_.read(reinterpret_cast<uint8_t*>(out), 4 * count);
  } else {
    read_halves(out, count);
  }
  if (!all_finite(out, count)) not_finite();
}

void ValueReader::finish() {
  bytes_.finish();
  if (entry_.is_grid()) {
    const uint64_t bits = uint64_t{entry_.grid.bits} * entry_.elements;
    check_padding(entry_, bits, static_cast<uint8_t>(bits_));
  }
}

void ValueReader::read_halves(float* out, size_t count) {
  uint16_t buffer[kBufferBytes / 2];
  while (count > 0) {
    const size_t part = std::min(count, std::size(buffer));
    bytes_.read(reinterpret_cast<uint8_t*>(buffer), 2 * part);
    floats_of_halves(buffer, out, part);
    out += part;
    count -= part;
  }
}

void ValueReader::read_planes(float* out, size_t count) {
  const size_t width = width_of(entry_);
  while (count > 0) {
    if (block_at_ == block_.size()) fill_block();
    const size_t held = (block_.size() - block_at_) / width;
    const size_t part = std::min(count, held);
    if (width == 4) {
      std::memcpy(out, &block_[block_at_], 4 * part);
    } else {
      floats_of_halves(
          reinterpret_cast<const uint16_t*>(&block_[block_at_]), out, part);
    }
    block_at_ += part * width;
    out += part;
    count -= part;
  }
}

// The next block: byte 0 of each number, then byte 1, ...
void ValueReader::fill_block() {
  const size_t width = width_of(entry_);
  const size_t count = std::min(left_, kPlaneBlock);
  std::vector<uint8_t> planes(count * width);
  bytes_.read(planes.data(), planes.size());
  block_.resize(planes.size());
  for (size_t byte = 0; byte < width; ++byte) {
    const uint8_t* plane = &planes[byte * count];
    for (size_t i = 0; i < count; ++i) block_[i * width + byte] = plane[i];
  }
  left_ -= count;
  block_at_ = 0;
}

void ValueReader::read_grid(float* out, size_t count) {
  read_codes(out, count);
  const Grid& grid = entry_.grid;
  const float* lo = groups_.data();
  const float* step = lo + grid.groups;
  if (grid.groups == 1) return put_on_grid(Same{*lo}, Same{*step}, out, count);
  while (count > 0) {
    size_t run;
    if (grid.inner == 1) {
      run = std::min<size_t>(count, grid.groups - group_);
      put_on_grid(Each{lo + group_}, Each{step + group_}, out, run);
      group_ += static_cast<uint32_t>(run);
    } else {
      run = std::min<size_t>(count, group_left_);
      put_on_grid(Same{lo[group_]}, Same{step[group_]}, out, run);
      group_left_ -= static_cast<uint32_t>(run);
      if (group_left_ == 0) {
        group_left_ = grid.inner;
        ++group_;
      }
    }
    if (group_ == grid.groups) group_ = 0;
    out += run;
    count -= run;
  }
}

// The most significant bits of what is held are the next code.
void ValueReader::read_codes(float* out, size_t count) {
  const uint32_t width = entry_.grid.bits;
  uint32_t bits = bits_;
  uint32_t held = held_bits_;
  for (size_t i = 0; i < count; ++i) {
    if (held < width) {
      if (block_at_ == block_.size()) fill_codes();
      bits = bits << 8 | block_[block_at_++];
      held += 8;
    }
    held -= width;
    out[i] = static_cast<float>(bits >> held & ((1u << width) - 1));
  }
  bits_ = bits;
  held_bits_ = held;
}

void ValueReader::fill_codes() {
  block_.resize(std::min(left_, kBufferBytes));
  bytes_.read(block_.data(), block_.size());
  left_ -= block_.size();
  block_at_ = 0;
}

void ValueReader::not_finite() const {
  fail(OD_PATCH_NOT_FINITE, "Values of a patch must be finite. Received: NaN "
       "or Inf in the values of ", shown(entry_.target), ".");
}

MaskBits::MaskBits(const Entry& entry) : data_(entry.stored().data) {
  if (entry.codec == kStored) return;
  SectionBytes bytes(entry);
  inflated_.resize(static_cast<size_t>(entry.raw_bytes()));
  bytes.read(inflated_.data(), inflated_.size());
  bytes.finish();
  data_ = inflated_.data();
}

void check_section(const Entry& entry) {
  check_singles(entry);
  if (entry.is_masked()) {
    check_mask(entry);
  } else {
    check_values(entry);
  }
}

}  // namespace odp
