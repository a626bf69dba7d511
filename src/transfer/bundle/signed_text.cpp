#include "transfer/bundle/signed_text.hpp"

#include "entrepot/base/bytes.hpp"

namespace entrepot::transfer {
namespace {

std::string title_of(std::string_view kind) { return "entrepot " + std::string(kind) + " 1\n"; }

// The line before the next LF, without it; absent when there is none.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::string signed_part(std::string_view kind, std::string_view head, std::string_view body) {
  std::string part = title_of(kind);
  part += head;
  part += '\n';
  part += body;
  return part;
}

}  // namespace

std::optional<std::string> strict_base64(std::string_view text) {
  auto bytes = base::from_base64(text);
  return bytes && base::to_base64(*bytes) == text ? bytes : std::nullopt;
}

std::string sign_text(std::string_view kind, std::string_view head, std::string_view body,
                      const SiteKey& key) {
  std::string text = title_of(kind);
  text += head;
  text += '\n';
  text += key.public_key() + ' ' + base::to_base64(key.sign(signed_part(kind, head, body))) + '\n';
  text += body;
  return text;
}

std::expected<SignedText, std::string> open_signed(std::string_view kind, std::string_view text) {
  const auto title = title_of(kind);
  const auto what = "is no " + std::string(kind) + "-file";
  if (!text.starts_with(title)) return std::unexpected(what);
  text.remove_prefix(title.size());
  const auto head = take_line(text);
  const auto seal = take_line(text);
  const auto blank = seal ? seal->find(' ') : std::string_view::npos;
  if (blank == std::string_view::npos) return std::unexpected(what);
  const SignedText parts{.key = seal->substr(0, blank), .head = *head, .body = text};
  const auto signature = strict_base64(seal->substr(blank + 1));
  if (!signature || !strict_base64(parts.key) ||
      !is_signed_by(parts.key, signed_part(kind, parts.head, parts.body), *signature)) {
    return std::unexpected("is damaged, or its signature is not that of its key");
  }
  return parts;
}

}  // namespace entrepot::transfer
