// Writes a model to its file while it is still being computed.
#ifndef OD_PATCH_FILE_WRITER_H_
#define OD_PATCH_FILE_WRITER_H_

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "file_io.h"
#include "progress.h"

namespace odp {

class FileWriter : public Progress {
 public:
  explicit FileWriter(std::string target) : target_(std::move(target)) {}
  ~FileWriter() override { stop(); }

  void begin(const uint8_t* data, size_t skeleton) override;
  void reach(size_t end) override;

  // Writes the rest of the model, its skeleton last, and waits for the disk.
  // An Error if anything could not be written.
  void finish(size_t size);

  // After finish: the file takes its name.
  void take_name() { file_->take_name(); }

 private:
  void run();
  void write_to(size_t end);
  void stop();

  const std::string target_;
  std::optional<HiddenFile> file_;
  const uint8_t* data_ = nullptr;
  size_t skeleton_ = 0;
  size_t written_ = 0;  // by the thread, or after it has ended
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex:
  size_t end_ = 0;
  bool is_last_ = false;
  std::exception_ptr failure_;
};

}  // namespace odp

#endif  // OD_PATCH_FILE_WRITER_H_
