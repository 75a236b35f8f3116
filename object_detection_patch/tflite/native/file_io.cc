#include "file_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include "sha256.h"

namespace odp {
namespace {

constexpr int kTries = 16;
constexpr const char* kHiddenEnd = ".partial";
constexpr time_t kStaleSeconds = 3600;
constexpr mode_t kMode = 0666;  // less what the process masks, as any file

[[noreturn]] void broken(const char* what, const std::string& path) {
  const int error = errno;
  fail(OD_PATCH_IO, "A file must be there and let itself be read or written. "
       "Received: ", std::strerror(error), " (", what, " ", shown(path), ").");
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) broken("opening", path);
  }
  ~OpenFile() { ::close(file_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int number() const { return file_; }

 private:
  int file_;
};

uint64_t size_of(int file, const std::string& path) {
  struct stat status;
  if (::fstat(file, &status) != 0) broken("asking about", path);
  if (!S_ISREG(status.st_mode)) {
    fail(OD_PATCH_IO, "A file must be a regular one. Received: ", shown(path),
         ".");
  }
  return static_cast<uint64_t>(status.st_size);
}

std::vector<uint8_t> read_open(int file, const std::string& path,
                               uint64_t size) {
  std::vector<uint8_t> bytes(static_cast<size_t>(size));
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t part = ::read(file, &bytes[at], bytes.size() - at);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) broken("reading", path);
    if (part == 0) break;  // it has shrunk: its own checks will tell
    at += static_cast<size_t>(part);
  }
  bytes.resize(at);
  return bytes;
}

std::string resolved(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  if (found == nullptr) {
    struct stat status;
    if (errno == ENOENT && ::lstat(path.c_str(), &status) != 0) return path;
    broken("following", path);
  }
  const std::string result = found;
  std::free(found);
  return result;
}

// The same for every writer of this target, the one in Python included, which
// removes what was left an hour ago or earlier.
std::string hidden_prefix(const std::string& name) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(name.data());
  const Digest digest = sha256(bytes, name.size());
  return ".od-patch-" + hex(digest.data(), 8) + "-";
}

bool is_leftover(int folder, const std::string& name, const std::string& prefix,
                 time_t now) {
  const std::string end = kHiddenEnd;
  if (name.size() < prefix.size() + end.size() ||
      name.compare(0, prefix.size(), prefix) != 0 ||
      name.compare(name.size() - end.size(), end.size(), end) != 0) {
    return false;
  }
  struct stat status;
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode) && now - status.st_mtime > kStaleSeconds;
}

// Removes hidden files that no living writer of this target can still need.
// Age tells, by the clock of the folder; what cannot be removed stays.
void remove_leftovers(int folder, const std::string& prefix,
                      const std::string& target) {
  struct stat written;
  const int listed = ::dup(folder);
  DIR* entries = listed < 0 ? nullptr : ::fdopendir(listed);
  if (entries == nullptr) {
    if (listed >= 0) ::close(listed);
    return;
  }
  if (::stat(target.c_str(), &written) == 0) {
    while (const dirent* entry = ::readdir(entries)) {
      if (is_leftover(folder, entry->d_name, prefix, written.st_mtime)) {
        ::unlinkat(folder, entry->d_name, 0);
      }
    }
  }
  ::closedir(entries);
}

std::string random_digits() {
  std::random_device source;
  uint8_t bytes[8];
  store<uint32_t>(bytes, source());
  store<uint32_t>(bytes + 4, source());
  return hex(bytes, sizeof bytes);
}

}  // namespace

std::vector<uint8_t> read_file(const std::string& path, uint64_t most) {
  const OpenFile file(path);
  const uint64_t size = size_of(file.number(), path);
  return read_open(file.number(), path, std::min(size, most + 1));
}

void check_output(const std::string& output,
                  const std::vector<std::string>& inputs) {
  struct stat there;
  if (::stat(output.c_str(), &there) != 0) return;
  if (!S_ISREG(there.st_mode)) {
    fail(OD_PATCH_OUTPUT, "The output must be a file. Received: ",
         shown(output), ".");
  }
  for (const std::string& input : inputs) {
    struct stat other;
    if (::stat(input.c_str(), &other) == 0 && other.st_dev == there.st_dev &&
        other.st_ino == there.st_ino) {
      fail(OD_PATCH_OUTPUT, "The output must not replace a file that is read. "
           "Received: ", shown(output), ", which is ", shown(input), ".");
    }
  }
}

MappedFile::MappedFile(const std::string& path) {
  const OpenFile file(path);
  const uint64_t size = size_of(file.number(), path);
  if (size == 0) return;
  void* mapped = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ,
                        MAP_PRIVATE, file.number(), 0);
  if (mapped == MAP_FAILED) {
    copy_ = read_open(file.number(), path, size);
    bytes_ = {copy_.data(), copy_.size()};
    return;
  }
  mapped_ = mapped;
  bytes_ = {static_cast<const uint8_t*>(mapped), static_cast<size_t>(size)};
}

MappedFile::~MappedFile() {
  if (mapped_ != nullptr) ::munmap(mapped_, bytes_.size);
}

HiddenFile::HiddenFile(const std::string& target) : target_(resolved(target)) {
  const size_t slash = target_.rfind('/');
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  folder_ = begin == 0 ? "." : target_.substr(0, begin);
  prefix_ = hidden_prefix(target_.substr(begin));
  const std::string place = begin == 0 ? prefix_ : folder_ + prefix_;
  for (int i = 0; i < kTries && file_ < 0; ++i) {
    hidden_ = place + random_digits() + kHiddenEnd;
    // Never another's file.
    file_ = ::open(hidden_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                   kMode);
    if (file_ < 0 && errno != EEXIST) break;
  }
  if (file_ < 0) broken("writing beside", target_);
}

HiddenFile::~HiddenFile() {
  if (file_ >= 0) ::close(file_);
  if (!hidden_.empty()) ::unlink(hidden_.c_str());
}

void HiddenFile::write(Span bytes, size_t at) {
  // Systems write at most some 2 GiB at once.
  constexpr size_t kMost = 1u << 30;
  while (bytes.size > 0) {
    const ssize_t part =
        ::pwrite(file_, bytes.data, std::min(bytes.size, kMost),
                 static_cast<off_t>(at));
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) broken("writing beside", target_);
    bytes.data += part;
    bytes.size -= static_cast<size_t>(part);
    at += static_cast<size_t>(part);
  }
}

void HiddenFile::sync() {
  if (::fsync(file_) != 0) broken("writing beside", target_);
}

void HiddenFile::take_name() {
  const int closed = ::close(file_);
  file_ = -1;
  if (closed != 0) broken("writing beside", target_);
  if (::rename(hidden_.c_str(), target_.c_str()) != 0) {
    broken("replacing", target_);
  }
  hidden_.clear();
  // So that the new name outlasts a power cut. Some file systems cannot: the
  // file is whole all the same.
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  remove_leftovers(folder, prefix_, target_);
  ::close(folder);
}

}  // namespace odp
