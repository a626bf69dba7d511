#include "entrepot/http/message.hpp"

namespace entrepot::http {

std::uint64_t Reply::body_length() const {
  if (body.empty()) return head_length;
  std::uint64_t length = 0;
  for (const auto& part : body) {
    const auto* text = std::get_if<std::string>(&part);
    length += text != nullptr ? text->size() : std::get<SourcePart>(part).length;
  }
  return length;
}

Reply text_reply(int status, std::string_view content_type, std::string text) {
  Reply reply;
  reply.status = status;
  reply.headers.add("Content-Type", content_type);
  reply.body.emplace_back(std::move(text));
  return reply;
}

async::Task<std::optional<std::string>> read_all(RequestBody& body, std::size_t most) {
  if (body.length().value_or(0) > most) co_return std::nullopt;
  std::string text;
  for (;;) {
    const auto piece = co_await body.next();
    if (piece.empty()) co_return text;
    if (piece.size() > most - text.size()) co_return std::nullopt;
    text.append(base::as_text(piece));
  }
}

}  // namespace entrepot::http
