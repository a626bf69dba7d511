// YAML read strictly: every value knows its line, every key must be known and may stand once.
//
// yaml-cpp accepts a duplicate key (the first wins), reads 010 as 8 and yes as true; so scalars are
// taken as text here and read by our own rules. All errors are ConfigError.
#pragma once

#include <yaml-cpp/node/node.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot::app {

class YamlSection;

class YamlValue {
 public:
  YamlValue(const YAML::Node& node, std::string file) : node_(node), file_(std::move(file)) {}

  bool is_scalar() const;
  std::string text() const;  // a scalar that is not empty
  bool boolean() const;      // true or false
  std::uint64_t number(std::uint64_t least, std::uint64_t most) const;
  std::chrono::milliseconds duration() const;
  std::uint64_t size() const;  // in bytes
  // A path of a file that can be read. A relative one lies in $CREDENTIALS_DIRECTORY (systemd) if
  // it is there, else beside the configuration file.
  std::string readable_file() const;
  // The same for a file that need not be there.
  std::string file() const;
  std::vector<YamlValue> list() const;
  std::vector<YamlValue> one_or_more() const;  // a scalar stands for a list of one
  YamlSection section() const;

  [[noreturn]] void fail(const std::string& message) const;

 private:
  YAML::Node node_;
  std::string file_;
};

// A map whose keys are taken one by one. What was not taken at finish() is unknown.
class YamlSection {
 public:
  explicit YamlSection(const YAML::Node& map, std::string file);

  // The value of `key`; absent when the key is not there.
  std::optional<YamlValue> take(std::string_view key);
  YamlValue require(std::string_view key);
  // Every key not taken yet, for a map whose keys are the operator's own words.
  std::vector<std::pair<std::string, YamlValue>> take_rest();
  void finish() const;

 private:
  struct Entry {
    std::string key;
    YAML::Node name;
    YAML::Node value;
    bool taken = false;
  };
  std::vector<Entry> entries_;
  YAML::Node map_;
  std::string file_;
};

// The top of a file: one document holding a map (or nothing). Throws ConfigError when it cannot be
// read or is no YAML.
YamlSection read_yaml(const std::filesystem::path& file);
// The same of text that stands in `file`.
YamlSection parse_yaml(const std::string& text, const std::filesystem::path& file);

}  // namespace entrepot::app
