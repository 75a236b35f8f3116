// Floating point as every thread has it at its start: rounding to nearest
// even, subnormal numbers kept. Threads of other libraries may differ.
#ifndef OD_PATCH_PLAIN_FLOATS_H_
#define OD_PATCH_PLAIN_FLOATS_H_

#include <cfenv>

namespace odp {

class PlainFloats {
 public:
  PlainFloats() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~PlainFloats() { std::fesetenv(&before_); }
  PlainFloats(const PlainFloats&) = delete;
  PlainFloats& operator=(const PlainFloats&) = delete;

 private:
  std::fenv_t before_;
};

}  // namespace odp

#endif  // OD_PATCH_PLAIN_FLOATS_H_
