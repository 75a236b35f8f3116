// Writes the fuzzers' worlds as inputs: write_seeds FOLDER, which must hold
// the folders of the four targets.
#include <cstdio>
#include <string>

#include "fuzz/world.h"

namespace {

void write(const std::string& path, const odp_fuzz::Bytes& bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return;
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
}

void append(odp_fuzz::Bytes& out, const odp_fuzz::Bytes& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

int main(int count, char** texts) {
  if (count != 2) return 2;
  const std::string folder = texts[1];
  for (uint8_t precision = 0; precision < 3; ++precision) {
    const odp_fuzz::World& world = odp_fuzz::world_of(precision);
    const auto header = static_cast<uint16_t>(world.header.size());
    odp_fuzz::Bytes patch = {1, static_cast<uint8_t>(header),
                             static_cast<uint8_t>(header >> 8)};
    append(patch, world.header);
    append(patch, world.sections);
    odp_fuzz::Bytes sidecar = {0};
    append(sidecar, world.body);
    const std::string name = "/world_" + std::to_string(precision);
    write(folder + "/fuzz_patch" + name, patch);
    write(folder + "/fuzz_sidecar" + name, sidecar);
    patch.insert(patch.begin(), precision);
    sidecar.insert(sidecar.begin(), precision);
    write(folder + "/fuzz_apply" + name, patch);
    write(folder + "/fuzz_apply_sidecar" + name, sidecar);
  }
  return 0;
}
