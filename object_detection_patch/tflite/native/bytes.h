// Little-endian numbers in memory, and a cursor that never leaves its bytes.
#ifndef OD_PATCH_BYTES_H_
#define OD_PATCH_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "error.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Numbers are copied as they lie in the files, which is little endian."
#endif

namespace odp {

struct Span {
  const uint8_t* data = nullptr;
  size_t size = 0;
};

template <class T>
T load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void store(uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

// Takes fields off the front of some bytes; an Error with the given status
// where a field would end behind them.
class Cursor {
 public:
  Cursor(Span bytes, od_patch_status status, const char* what)
      : bytes_(bytes), status_(status), what_(what) {}

  const uint8_t* take(size_t size) {
    if (size > bytes_.size - at_) overrun(size);
    const uint8_t* taken = bytes_.data + at_;
    at_ += size;
    return taken;
  }

  uint8_t u8() { return *take(1); }
  uint16_t u16() { return load<uint16_t>(take(2)); }
  uint32_t u32() { return load<uint32_t>(take(4)); }
  uint64_t u64() { return load<uint64_t>(take(8)); }

  std::string_view text(size_t size) {
    return {reinterpret_cast<const char*>(take(size)), size};
  }

  // An Error unless every byte was taken.
  void finish() const {
    if (at_ == bytes_.size) return;
    fail(status_, what_, " must end with its last field. Received: ",
         bytes_.size - at_, " bytes behind it.");
  }

 private:
  [[noreturn]] void overrun(size_t size) const {
    fail(status_, what_, " must hold all of its fields. Received: one of ",
         bytes_.size, " bytes that ends within a field of ", size,
         " at byte ", at_, ".");
  }

  Span bytes_;
  od_patch_status status_;
  const char* what_;
  size_t at_ = 0;
};

}  // namespace odp

#endif  // OD_PATCH_BYTES_H_
