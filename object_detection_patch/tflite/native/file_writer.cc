#include "file_writer.h"

#include <system_error>

namespace odp {
namespace {

// Fewer, larger writes: a wake-up costs more than a small one.
constexpr size_t kLeast = 1u << 19;

}  // namespace

void FileWriter::begin(const uint8_t* data, size_t skeleton) {
  data_ = data;
  skeleton_ = written_ = end_ = skeleton;
  file_.emplace(target_);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    // No thread to be had: everything is written at the end.
  }
}

void FileWriter::reach(size_t end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (end < end_ + kLeast) return;
  end_ = end;
  changed_.notify_one();
}

void FileWriter::finish(size_t size) {
  stop();
  if (failure_) std::rethrow_exception(failure_);
  write_to(size);
  file_->write({data_, skeleton_}, 0);
  file_->sync();
}

void FileWriter::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_last_ || end_ > written_; });
    if (end_ <= written_ || failure_) return;
    const size_t end = end_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      write_to(end);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    if (failure_) return;
  }
}

void FileWriter::write_to(size_t end) {
  file_->write({data_ + written_, end - written_}, written_);
  written_ = end;
}

void FileWriter::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_last_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace odp
