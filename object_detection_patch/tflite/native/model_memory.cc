#include "model_memory.h"

#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace odp {

Model allocated_model(size_t size) {
  constexpr size_t kLargePage = 1u << 21;
  const bool is_large = size >= 2 * kLargePage;
  void* data = nullptr;
  if (posix_memalign(&data, is_large ? kLargePage : 64, size) != 0) {
    throw std::bad_alloc();
  }
#if defined(MADV_HUGEPAGE)
  // A wish: fewer page faults. Whole large pages only, so that no memory is
  // used behind the result.
  if (is_large) madvise(data, size / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  Model model;
  model.data.reset(static_cast<uint8_t*>(data));
  return model;
}

}  // namespace odp
