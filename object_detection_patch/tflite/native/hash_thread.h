// SHA-256 of some memory, computed beside what the caller does meanwhile.
#ifndef OD_PATCH_HASH_THREAD_H_
#define OD_PATCH_HASH_THREAD_H_

#include <system_error>
#include <thread>

#include "bytes.h"
#include "sha256.h"

namespace odp {

class HashThread {
 public:
  // The memory must stay as it is until the digest was asked for.
  explicit HashThread(Span bytes) {
    auto hash = [this, bytes] { digest_ = sha256(bytes.data, bytes.size); };
    try {
      thread_ = std::thread(hash);
    } catch (const std::system_error&) {
      hash();  // no thread to be had: now rather than beside
    }
  }
  ~HashThread() { join(); }
  HashThread(const HashThread&) = delete;
  HashThread& operator=(const HashThread&) = delete;

  const Digest& digest() {
    join();
    return digest_;
  }

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  Digest digest_ = {};
  std::thread thread_;
};

}  // namespace odp

#endif  // OD_PATCH_HASH_THREAD_H_
