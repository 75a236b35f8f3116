#include "error.h"

namespace odp {
namespace {

constexpr size_t kMostShown = 80;
constexpr char kDigits[] = "0123456789abcdef";

}  // namespace

std::string shown(std::string_view text) {
  std::string out = "'";
  for (char letter : text) {
    if (out.size() > kMostShown) return out + "...'";
    const auto code = static_cast<unsigned char>(letter);
    if (code >= 0x20 && code < 0x7f) {
      out += letter;
    } else {
      out += "\\x";
      out += kDigits[code >> 4];
      out += kDigits[code & 15];
    }
  }
  return out + "'";
}

std::string hex(const uint8_t* bytes, size_t size) {
  std::string out;
  out.reserve(2 * size);
  for (size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

}  // namespace odp
