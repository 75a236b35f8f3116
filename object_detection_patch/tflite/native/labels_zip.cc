#include "labels_zip.h"

#include <zlib.h>

namespace odp {
namespace {

constexpr std::string_view kName = "labelmap.txt";
constexpr std::string_view kNoLabel = "???";
constexpr uint16_t kVersion = 10;
constexpr uint16_t kMadeBy = 20;
constexpr uint16_t kDate = 0x0021;  // 1980-01-01, the first that a zip has

template <class T>
void put(std::string& out, T value) {
  uint8_t bytes[sizeof value];
  store(bytes, value);
  out.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

// The fields that both headers of a member have.
void put_common(std::string& out, const std::string& text) {
  const auto size = static_cast<uint32_t>(text.size());
  const auto* bytes = reinterpret_cast<const Bytef*>(text.data());
  const uLong crc = crc32(0, bytes, size);
  put<uint16_t>(out, kVersion);
  put<uint16_t>(out, 0);  // flags
  put<uint16_t>(out, 0);  // method: stored
  put<uint16_t>(out, 0);  // time
  put<uint16_t>(out, kDate);
  put<uint32_t>(out, static_cast<uint32_t>(crc));
  put<uint32_t>(out, size);  // stored
  put<uint32_t>(out, size);
  put<uint16_t>(out, static_cast<uint16_t>(kName.size()));
  put<uint16_t>(out, 0);  // extra fields
}

void put_directory(std::string& out, const std::string& text,
                   uint32_t member) {
  out += "PK\x01\x02";
  put<uint16_t>(out, kMadeBy);
  put_common(out, text);
  put<uint16_t>(out, 0);  // comment
  put<uint16_t>(out, 0);  // disk
  put<uint16_t>(out, 0);  // attributes inside
  put<uint32_t>(out, 0);  // and outside
  put<uint32_t>(out, member);
  out += kName;
}

void put_end(std::string& out, uint32_t bytes, uint32_t directory) {
  out += "PK\x05\x06";
  put<uint16_t>(out, 0);  // this disk
  put<uint16_t>(out, 0);  // the directory's
  put<uint16_t>(out, 1);  // members here
  put<uint16_t>(out, 1);  // and in all
  put<uint32_t>(out, bytes);
  put<uint32_t>(out, directory);
  put<uint16_t>(out, 0);  // comment
}

}  // namespace

std::string labels_text(const std::vector<Label>& labels) {
  std::string text;
  uint32_t next = 1;
  for (const Label& label : labels) {
    for (; next < label.id; ++next) text.append(kNoLabel) += '\n';
    const std::string_view name = label.shown();
    text.append(name.empty() ? kNoLabel : name) += '\n';
    next = label.id + 1;
  }
  return text;
}

std::string labels_zip(const std::string& text, uint32_t start) {
  std::string out = "PK\x03\x04";
  put_common(out, text);
  out += kName;
  out += text;
  const auto directory = static_cast<uint32_t>(start + out.size());
  put_directory(out, text, start);
  put_end(out, static_cast<uint32_t>(start + out.size() - directory),
          directory);
  return out;
}

}  // namespace odp
