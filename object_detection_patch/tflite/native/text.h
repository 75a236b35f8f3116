// Which texts a file may hold: what a person reads is what it says.
#ifndef OD_PATCH_TEXT_H_
#define OD_PATCH_TEXT_H_

#include <cstdint>
#include <string_view>

namespace odp {

constexpr uint32_t kMaxTextBytes = 1024;

enum class TextRule {
  kText,  // no control characters
  kName,  // no invisible characters either
};

// Null, or why a text breaks the rule; its length is not looked at.
const char* text_fault(std::string_view text, TextRule rule);

}  // namespace odp

#endif  // OD_PATCH_TEXT_H_
