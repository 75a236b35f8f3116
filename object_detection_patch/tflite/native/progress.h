// Who follows the making of a model, such as the file that it is written to.
#ifndef OD_PATCH_PROGRESS_H_
#define OD_PATCH_PROGRESS_H_

#include <cstddef>
#include <cstdint>

namespace odp {

class Progress {
 public:
  virtual ~Progress() = default;

  // The model will lie at `data`. Its first `skeleton` bytes are final only
  // at the end.
  virtual void begin(const uint8_t* data, size_t skeleton) = 0;

  // What lies between the skeleton and `end` is final. Called by the thread
  // that computes, so it should return soon.
  virtual void reach(size_t end) = 0;
};

}  // namespace odp

#endif  // OD_PATCH_PROGRESS_H_
