#include "app/yaml_check.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <string_view>

namespace entrepot::app {
namespace {

// Whether quoted text that begins `text` has its closing quote.
bool is_closed(std::string_view text) {
  const char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      // In single quotes two of them stand for one.
      const bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!doubled) return true;
      ++i;
    }
  }
  return false;
}

class Inspector : public YAML::EventHandler {
 public:
  explicit Inspector(std::string_view text) : text_(text) {}

  const std::optional<YamlTrouble>& trouble() const { return trouble_; }

 private:
  void note(const YAML::Mark& mark, std::string what) {
    if (!trouble_) trouble_ = YamlTrouble{mark.line + 1, std::move(what)};
  }
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) note(mark, "more than one YAML document");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string&) override {
    const auto at = static_cast<std::size_t>(mark.pos);
    const bool quoted = tag == "!" && at < text_.size() && (text_[at] == '"' || text_[at] == '\'');
    if (quoted && !is_closed(text_.substr(at))) note(mark, "this quoted text never ends");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  std::string_view text_;
  int documents_ = 0;
  std::optional<YamlTrouble> trouble_;
};

}  // namespace

// Not by LoadAll(): after a stray token yaml-cpp 0.7 finds empty documents there without end.
std::optional<YamlTrouble> find_trouble(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Inspector inspector(text);
  if (parser.HandleNextDocument(inspector)) parser.HandleNextDocument(inspector);
  return inspector.trouble();
}

}  // namespace entrepot::app
