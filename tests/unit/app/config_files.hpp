// A directory of configuration files that goes away with the test.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "support/temp_dir.hpp"

namespace entrepot::test {

class ConfigFiles {
 public:
  const std::filesystem::path& place() const { return place_.path(); }

  std::filesystem::path write(std::string_view name, std::string_view text) const {
    const auto path = place() / name;
    std::ofstream(path) << text;
    return path;
  }

 private:
  TempDir place_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace entrepot::test
