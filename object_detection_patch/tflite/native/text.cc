#include "text.h"

#include <algorithm>
#include <iterator>

namespace odp {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Both tables are those of patch_file/FORMAT.md, Bytes; ascending.
constexpr Range kControl[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x2028, 0x202e}, {0x2066, 0x2069},
};
constexpr Range kInvisible[] = {
    {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x115f, 0x1160},
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},
    {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

constexpr uint32_t kBroken = 0xffffffff;

template <size_t kCount>
bool is_in(const Range (&table)[kCount], uint32_t letter) {
  const Range* found = std::lower_bound(
      std::begin(table), std::end(table), letter,
      [](const Range& range, uint32_t l) { return range.last < l; });
  return found != std::end(table) && found->first <= letter;
}

// The bytes that follow a first byte, and what it and they must be at least:
// a longer form of a smaller number is not UTF-8.
struct Form {
  int following;
  uint32_t bits;
  uint32_t least;
};

Form form_of(uint8_t first) {
  if (first < 0x80) return {0, first, 0};
  if (first >= 0xc0 && first < 0xe0) return {1, first & 0x1fu, 0x80};
  if (first >= 0xe0 && first < 0xf0) return {2, first & 0x0fu, 0x800};
  if (first >= 0xf0 && first < 0xf8) return {3, first & 0x07u, 0x10000};
  return {0, kBroken, 0};
}

// Takes one code point off the front; kBroken if it is not UTF-8 (RFC 3629).
uint32_t next_letter(std::string_view& rest) {
  const Form form = form_of(static_cast<uint8_t>(rest.front()));
  rest.remove_prefix(1);
  uint32_t letter = form.bits;
  if (letter == kBroken) return kBroken;
  for (int i = 0; i < form.following; ++i) {
    if (rest.empty()) return kBroken;
    const auto byte = static_cast<uint8_t>(rest.front());
    if ((byte & 0xc0) != 0x80) return kBroken;
    letter = letter << 6 | (byte & 0x3f);
    rest.remove_prefix(1);
  }
  const bool is_surrogate = letter >= 0xd800 && letter <= 0xdfff;
  if (letter < form.least || letter > 0x10ffff || is_surrogate) return kBroken;
  return letter;
}

}  // namespace

const char* text_fault(std::string_view text, TextRule rule) {
  while (!text.empty()) {
    const uint32_t letter = next_letter(text);
    if (letter == kBroken) return "must be UTF-8";
    if (is_in(kControl, letter)) return "must not hold control characters";
    if (rule == TextRule::kName && is_in(kInvisible, letter)) {
      return "must not hold invisible characters";
    }
  }
  return nullptr;
}

}  // namespace odp
