// Times what a phone does, in one warm process: a line in, a line out.
//
//   copy FROM TO                            seconds
//   apply BASE SIDECAR PATCH OUTPUT FLAGS   seconds
//   run OUTPUT COMMAND...                   seconds, peak bytes of the command
//   peak                                    peak bytes of this process so far
//   wait_for_disk 0|1                       that number; 1 at first: sync
//
// Fields are parted by tabs. Each of the first three ends as applying does:
// the file is synced, has its name, and its folder is synced.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "od_patch.h"

static bool waits_for_disk = true;

// Stands in for the C library's, in the applier too: what the disk makes of a
// sync varies more than all else.
extern "C" int fsync(int file) {
  return waits_for_disk ? static_cast<int>(::syscall(SYS_fsync, file)) : 0;
}

namespace {

using Fields = std::vector<std::string>;

[[noreturn]] void stop(const std::string& what) {
  std::cerr << "phone_native: " << what << "\n";
  std::exit(1);
}

int opened(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (file < 0) stop("cannot open " + path + ": " + std::strerror(errno));
  return file;
}

void sync(const std::string& path) {
  const int file = opened(path, O_RDONLY);
  if (::fsync(file) != 0) stop("cannot sync " + path);
  ::close(file);
}

void sync_folder_of(const std::string& path) {
  sync(path.substr(0, path.rfind('/')));
}

// What a plain copy cannot go below: through one buffer that is warm.
void copy(const std::string& from, const std::string& to) {
  static std::vector<char> buffer(1u << 18);
  const std::string hidden = to + ".partial";
  const int source = opened(from, O_RDONLY);
  const int target = opened(hidden, O_WRONLY | O_CREAT | O_EXCL);
  ssize_t part;
  while ((part = ::read(source, buffer.data(), buffer.size())) > 0) {
    if (::write(target, buffer.data(), static_cast<size_t>(part)) != part) {
      stop("cannot write " + hidden);
    }
  }
  ::close(source);
  if (part < 0 || ::fsync(target) != 0) stop("cannot copy " + from);
  ::close(target);
  if (std::rename(hidden.c_str(), to.c_str()) != 0) stop("cannot rename");
  sync_folder_of(to);
}

void apply(const Fields& fields) {
  const auto flags = static_cast<uint32_t>(std::stoul(fields.at(5)));
  od_patch* patch = nullptr;
  od_patch_status status = od_patch_open_file(fields.at(3).c_str(), &patch);
  if (status == OD_PATCH_OK) {
    status = od_patch_apply_to_file(patch, fields.at(1).c_str(),
                                    fields.at(2).c_str(),
                                    fields.at(4).c_str(), flags);
  }
  od_patch_close(patch);
  if (status != OD_PATCH_OK) stop(od_patch_last_error());
}

// Peak bytes of a command, which is forked from this small process: what the
// kernel reports begins with the size of whoever forks.
long run(const Fields& fields) {
  std::vector<char*> arguments;
  for (size_t i = 2; i < fields.size(); ++i) {
    arguments.push_back(const_cast<char*>(fields[i].c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage = {};
  if (child < 0 || ::wait4(child, &status, 0, &usage) < 0) stop("cannot run");
  if (status != 0) stop("failed: " + fields.at(2));
  sync(fields.at(1));
  sync_folder_of(fields.at(1));
  return usage.ru_maxrss * 1024;
}

long peak() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    long kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  stop("/proc/self/status must have a line VmHWM (Linux)");
}

std::string answer(const Fields& fields) {
  const std::string& what = fields.at(0);
  if (what == "peak") return std::to_string(peak());
  if (what == "wait_for_disk") {
    waits_for_disk = fields.at(1) == "1";
    return fields.at(1);
  }
  const auto started = std::chrono::steady_clock::now();
  long bytes = 0;
  if (what == "copy") {
    copy(fields.at(1), fields.at(2));
  } else if (what == "apply") {
    apply(fields);
  } else if (what == "run") {
    bytes = run(fields);
  } else {
    stop("unknown: " + what);
  }
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - started;
  std::string text = std::to_string(seconds.count());
  if (what == "run") text += "\t" + std::to_string(bytes);
  return text;
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    Fields fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, '\t');) {
      fields.push_back(field);
    }
    std::cout << answer(fields) << std::endl;
  }
  return 0;
}
