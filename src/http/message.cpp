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

}  // namespace entrepot::http
