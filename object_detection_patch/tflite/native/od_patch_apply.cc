// The command line tool: applies a patch, or tells what it holds.
#include <cstdio>
#include <cstring>
#include <string>

#include "include/od_patch.h"

namespace {

constexpr int kWrong = 2;
constexpr char kHelp[] =
    "Applies a task patch to a published base model.\n"
    "\n"
    "  od_patch_apply --base B --sidecar S --patch P --output O\n"
    "                 [--trust_base] [--no_result_check]\n"
    "  od_patch_apply --inspect P\n"
    "\n"
    "  --base B            base.tflite; it is only read\n"
    "  --sidecar S         base.odpatch, its sidecar\n"
    "  --patch P           the task's patch\n"
    "  --output O          the task's model; appears whole or not at all\n"
    "  --trust_base        leave out the SHA-256 of the base\n"
    "  --no_result_check   leave out the SHA-256 of the result\n"
    "  --inspect P         print what a patch holds\n"
    "\n"
    "Exit status: 0, or 2 with a message.\n";

struct Arguments {
  std::string base;
  std::string sidecar;
  std::string patch;
  std::string output;
  std::string inspect;
  uint32_t flags = 0;
};

int wrong(const std::string& message) {
  std::fprintf(stderr, "od_patch_apply: %s\n", message.c_str());
  return kWrong;
}

int failed(od_patch_status status) {
  return wrong(std::string(od_patch_status_name(status)) + ": " +
               od_patch_last_error());
}

std::string* value_of(Arguments& arguments, const std::string& name) {
  if (name == "--base") return &arguments.base;
  if (name == "--sidecar") return &arguments.sidecar;
  if (name == "--patch") return &arguments.patch;
  if (name == "--output") return &arguments.output;
  if (name == "--inspect") return &arguments.inspect;
  return nullptr;
}

// An empty text, or what is wrong.
std::string parse(int count, char** texts, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    std::string name = texts[i];
    const size_t equals = name.find('=');
    const bool has_value = equals != std::string::npos;
    const std::string value = has_value ? name.substr(equals + 1) : "";
    if (has_value) name.resize(equals);
    if (name == "--trust_base" && !has_value) {
      arguments.flags |= OD_PATCH_TRUST_BASE;
    } else if (name == "--no_result_check" && !has_value) {
      arguments.flags |= OD_PATCH_NO_RESULT_CHECK;
    } else if (std::string* target = value_of(arguments, name)) {
      if (!has_value && i + 1 == count) return name + " must have a value";
      *target = has_value ? value : texts[++i];
    } else {
      return "an option must be one of --help. Received: " + name;
    }
  }
  return "";
}

void print_patch(const od_patch* patch) {
  std::printf("method       %s\n", od_patch_method(patch));
  std::printf("base         %s\n", od_patch_base_fingerprint(patch));
  std::printf("bytes        %llu\n",
              static_cast<unsigned long long>(od_patch_file_bytes(patch)));
  std::printf("signed       %s\n",
              od_patch_is_signed(patch) ? "yes, not verified" : "no");
  std::printf("classes      %u\n", od_patch_num_classes(patch));
  for (uint32_t i = 0; i < od_patch_num_labels(patch); ++i) {
    const uint32_t id = od_patch_label_id(patch, i);
    std::printf("%6u  %s\n", id, od_patch_label(patch, id - 1));
  }
}

int inspect(const std::string& path) {
  od_patch* patch = nullptr;
  const od_patch_status status = od_patch_open_file(path.c_str(), &patch);
  if (status != OD_PATCH_OK) return failed(status);
  print_patch(patch);
  od_patch_close(patch);
  return 0;
}

int apply(const Arguments& arguments) {
  od_patch* patch = nullptr;
  od_patch_status status =
      od_patch_open_file(arguments.patch.c_str(), &patch);
  if (status == OD_PATCH_OK) {
    status = od_patch_apply_to_file(
        patch, arguments.base.c_str(), arguments.sidecar.c_str(),
        arguments.output.c_str(), arguments.flags);
  }
  od_patch_close(patch);
  return status == OD_PATCH_OK ? 0 : failed(status);
}

}  // namespace

int main(int count, char** texts) {
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(texts[i], "--help") == 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
  }
  Arguments arguments;
  const std::string fault = parse(count, texts, arguments);
  if (!fault.empty()) return wrong(fault);
  if (!arguments.inspect.empty()) return inspect(arguments.inspect);
  if (arguments.base.empty() || arguments.sidecar.empty() ||
      arguments.patch.empty() || arguments.output.empty()) {
    return wrong("--base, --sidecar, --patch and --output must all be given; "
                 "see --help");
  }
  return apply(arguments);
}
