// What stops reading or applying, with a message for people.
#ifndef OD_PATCH_ERROR_H_
#define OD_PATCH_ERROR_H_

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "include/od_patch.h"

namespace odp {

// Thrown inside the library; c_api.cc turns it into a status.
class Error : public std::runtime_error {
 public:
  Error(od_patch_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}

  od_patch_status status() const { return status_; }

 private:
  od_patch_status status_;
};

// A received text as a message quotes it: at most 80 characters, with
// everything escaped that could drive a terminal.
std::string shown(std::string_view text);

// `size` bytes as lower-case hexadecimal digits.
std::string hex(const uint8_t* bytes, size_t size);

namespace internal {

inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, uint64_t number) {
  out += std::to_string(number);
}

}  // namespace internal

// Throws an Error; texts and numbers are joined into its message.
template <class... Parts>
[[noreturn]] void fail(od_patch_status status, const Parts&... parts) {
  std::string message;
  (internal::append(message, parts), ...);
  throw Error(status, message);
}

}  // namespace odp

#endif  // OD_PATCH_ERROR_H_
