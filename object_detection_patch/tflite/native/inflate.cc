#include "inflate.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace odp {

void check_inflation(const std::string& what, uint64_t stored, uint64_t raw,
                     od_patch_status status) {
  if (raw <= kMaxInflation * stored) return;
  fail(status, what, " cannot inflate ", stored, " bytes more than ",
       kMaxInflation, " times. Received: a stated size of ", raw, ".");
}

Inflater::Inflater(std::string what, Span stored, od_patch_status status)
    : what_(std::move(what)), status_(status) {
  if (stored.size > std::numeric_limits<uInt>::max()) {
    broken("more bytes than any file may have");
  }
  // zlib declares its input as not const, and does not write to it.
  stream_.next_in = const_cast<Bytef*>(stored.data);
  stream_.avail_in = static_cast<uInt>(stored.size);
  if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { inflateEnd(&stream_); }

void Inflater::read(uint8_t* out, size_t size) {
  while (size > 0) {
    if (ended_) broken("a shorter one");
    const auto most = std::numeric_limits<uInt>::max();
    const auto part = static_cast<uInt>(std::min<size_t>(size, most));
    stream_.next_out = out;
    stream_.avail_out = part;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    const size_t written = part - stream_.avail_out;
    ended_ = result == Z_STREAM_END;
    if (result != Z_OK && !ended_) {
      broken(stream_.msg ? stream_.msg : "one that is cut short");
    }
    out += written;
    size -= written;
  }
}

void Inflater::finish() {
  uint8_t beyond;
  stream_.next_out = &beyond;
  stream_.avail_out = 1;
  if (!ended_) {
    const int result = inflate(&stream_, Z_NO_FLUSH);
    ended_ = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_BUF_ERROR && !ended_) {
      broken(stream_.msg ? stream_.msg : "a broken one");
    }
  }
  if (!ended_ || stream_.avail_out == 0 || stream_.avail_in != 0) {
    broken("one that is longer, cut short, or followed by other bytes");
  }
}

void Inflater::broken(const char* detail) const {
  fail(status_, what_, " must be one zlib stream of its stated size. "
       "Received: ", detail, ".");
}

}  // namespace odp
