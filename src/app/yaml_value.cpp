#include "app/yaml_value.hpp"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "app/config_error.hpp"
#include "app/yaml_check.hpp"
#include "entrepot/base/units.hpp"

namespace entrepot::app {
namespace {

std::string place(const std::string& file, const YAML::Mark& mark) {
  return mark.is_null() ? file + ": " : file + ':' + std::to_string(mark.line + 1) + ": ";
}

std::filesystem::path located(const std::string& text, const std::string& config_file) {
  std::filesystem::path path(text);
  if (path.is_absolute()) return path;
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY")) {
    const auto credential = std::filesystem::path(credentials) / path;
    if (std::error_code ec; std::filesystem::exists(credential, ec)) return credential;
  }
  return std::filesystem::path(config_file).parent_path() / path;
}

}  // namespace

void YamlValue::fail(const std::string& message) const {
  throw ConfigError(place(file_, node_.Mark()) + message);
}

bool YamlValue::is_scalar() const { return node_.IsScalar(); }

std::string YamlValue::text() const {
  if (!node_.IsScalar()) fail("expected a single value");
  if (node_.Scalar().empty()) fail("expected a value, found nothing");
  return node_.Scalar();
}

bool YamlValue::boolean() const {
  const auto word = text();
  if (word != "true" && word != "false") fail("expected true or false, found '" + word + "'");
  return word == "true";
}

std::uint64_t YamlValue::number(std::uint64_t least, std::uint64_t most) const {
  const auto word = text();
  const auto value = base::parse_unsigned(word);
  if (!value || *value < least || *value > most) {
    fail("expected a number from " + std::to_string(least) + " to " + std::to_string(most) +
         ", found '" + word + "'");
  }
  return *value;
}

std::chrono::milliseconds YamlValue::duration() const {
  const auto word = text();
  const auto value = base::parse_duration(word);
  if (!value) fail("expected a duration such as 500ms, 10s, 5m, 2h or 7d, found '" + word + "'");
  return *value;
}

std::uint64_t YamlValue::size() const {
  const auto word = text();
  const auto value = base::parse_size(word);
  if (!value) fail("expected a size such as 4096, 64KiB, 4MiB or 100GiB, found '" + word + "'");
  return *value;
}

std::string YamlValue::file() const { return located(text(), file_).string(); }

std::string YamlValue::readable_file() const {
  const std::filesystem::path path(file());
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec)) fail("no such file: " + path.string());
  if (::access(path.c_str(), R_OK) != 0) fail("cannot be read: " + path.string());
  return path.string();
}

std::vector<YamlValue> YamlValue::list() const {
  if (!node_.IsSequence()) fail("expected a list");
  std::vector<YamlValue> items;
  items.reserve(node_.size());
  for (const auto& item : node_) items.emplace_back(item, file_);
  return items;
}

std::vector<YamlValue> YamlValue::one_or_more() const {
  if (node_.IsScalar()) return {*this};
  auto items = list();
  if (items.empty()) fail("expected at least one value");
  return items;
}

YamlSection YamlValue::section() const {
  if (!node_.IsMap()) fail("expected keys and values");
  return YamlSection(node_, file_);
}

YamlSection::YamlSection(const YAML::Node& map, std::string file)
    : map_(map), file_(std::move(file)) {
  std::set<std::string> seen;
  for (const auto& pair : map) {
    const YamlValue name(pair.first, file_);
    auto key = name.text();
    if (!seen.insert(key).second) name.fail("key '" + key + "' stands here a second time");
    // The place of nothing is that of whatever follows it.
    if (pair.second.IsNull()) name.fail("key '" + key + "' has no value");
    entries_.push_back({std::move(key), pair.first, pair.second});
  }
}

std::optional<YamlValue> YamlSection::take(std::string_view key) {
  for (auto& entry : entries_) {
    if (entry.key != key) continue;
    entry.taken = true;
    return YamlValue(entry.value, file_);
  }
  return std::nullopt;
}

YamlValue YamlSection::require(std::string_view key) {
  auto value = take(key);
  if (!value) YamlValue(map_, file_).fail("key '" + std::string(key) + "' is missing");
  return std::move(*value);
}

std::vector<std::pair<std::string, YamlValue>> YamlSection::take_rest() {
  std::vector<std::pair<std::string, YamlValue>> rest;
  for (auto& entry : entries_) {
    if (entry.taken) continue;
    entry.taken = true;
    rest.emplace_back(entry.key, YamlValue(entry.value, file_));
  }
  return rest;
}

void YamlSection::finish() const {
  for (const auto& entry : entries_) {
    if (!entry.taken) YamlValue(entry.name, file_).fail("unknown key '" + entry.key + "'");
  }
}

YamlSection read_yaml(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (std::error_code ec; !stream || std::filesystem::is_directory(file, ec)) {
    throw ConfigError(file.string() + ": cannot be read");
  }
  return parse_yaml({std::istreambuf_iterator(stream), {}}, file);
}

YamlSection parse_yaml(const std::string& text, const std::filesystem::path& file) {
  try {
    if (const auto trouble = find_trouble(text)) {
      throw ConfigError(file.string() + ':' + std::to_string(trouble->line) + ": " + trouble->what);
    }
    const auto document = YAML::Load(text);
    if (document.IsNull()) return YamlSection(YAML::Node(YAML::NodeType::Map), file.string());
    return YamlValue(document, file.string()).section();
  } catch (const YAML::Exception& error) {
    throw ConfigError(place(file.string(), error.mark) + error.msg);
  }
}

}  // namespace entrepot::app
