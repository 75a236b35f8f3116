// Files: read whole, mapped, and written so that they appear whole.
#ifndef OD_PATCH_FILE_IO_H_
#define OD_PATCH_FILE_IO_H_

#include <string>
#include <vector>

#include "bytes.h"

namespace odp {

// The bytes of a file; of a longer one than `most`, one byte more than that.
std::vector<uint8_t> read_file(const std::string& path, uint64_t most);

// An Error of status OUTPUT if the output is one of the inputs, by whatever
// name.
void check_output(const std::string& output,
                  const std::vector<std::string>& inputs);

// A file's bytes, mapped where that is possible, else read; aligned to 16.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  Span bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> copy_;
  void* mapped_ = nullptr;
  Span bytes_;
};

// As in Python, a new file removes what killed writers of the same target left
// an hour ago or earlier.
//
// A file beside its target, which takes its name only when it is whole and on
// the disk; until then an older file there stays. Removed unless it did.
class HiddenFile {
 public:
  // A symbolic link is followed.
  explicit HiddenFile(const std::string& target);
  ~HiddenFile();
  HiddenFile(const HiddenFile&) = delete;
  HiddenFile& operator=(const HiddenFile&) = delete;

  // Bytes from position `at` of the file on.
  void write(Span bytes, size_t at);
  // Returns when all that was written is on the disk.
  void sync();
  // To be called after `sync`.
  void take_name();

 private:
  std::string target_;
  std::string folder_;
  std::string prefix_;
  std::string hidden_;
  int file_ = -1;
};

}  // namespace odp

#endif  // OD_PATCH_FILE_IO_H_
