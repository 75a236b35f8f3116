// Runs a fuzz target on files, for builds without libFuzzer:
// TARGET FILE...
#include <cstdio>
#include <vector>

#include "bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int count, char** paths) {
  for (int i = 1; i < count; ++i) {
    std::FILE* file = std::fopen(paths[i], "rb");
    if (file == nullptr) return 2;
    std::vector<uint8_t> bytes(1u << 20);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    // Of its own size, so that reading behind it is found.
    const std::vector<uint8_t> input(bytes);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%d inputs\n", count - 1);
  return 0;
}
