// One zlib stream (RFC 1950), inflated piece by piece to a size stated before.
#ifndef OD_PATCH_INFLATE_H_
#define OD_PATCH_INFLATE_H_

#include <zlib.h>

#include <string>

#include "bytes.h"

namespace odp {

// No deflate stream inflates to more (https://zlib.net/zlib_tech.html).
constexpr uint64_t kMaxInflation = 1032;

// An Error of status LIMIT, or the given one, for a size that `stored` bytes
// cannot reach.
void check_inflation(const std::string& what, uint64_t stored, uint64_t raw,
                     od_patch_status status = OD_PATCH_LIMIT);

class Inflater {
 public:
  // `what` names the stream in errors, whose status is the given one.
  Inflater(std::string what, Span stored,
           od_patch_status status = OD_PATCH_COMPRESSION);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Exactly the next `size` bytes.
  void read(uint8_t* out, size_t size);

  // An Error unless the stream ends here, and with it the stored bytes.
  void finish();

 private:
  [[noreturn]] void broken(const char* detail) const;

  std::string what_;
  od_patch_status status_;
  z_stream stream_ = {};
  bool ended_ = false;
};

}  // namespace odp

#endif  // OD_PATCH_INFLATE_H_
