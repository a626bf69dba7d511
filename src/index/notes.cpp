#include "entrepot/index/notes.hpp"

#include <stdexcept>

#include "index/keys.hpp"

namespace entrepot::index {
namespace {

Key scope_key(std::string_view scope) {
  if (scope.size() > max_note_scope || scope.contains('\0')) {
    throw std::length_error("index: no scope of notes");
  }
  return Key().text(scope).separator();
}

Key note_key(std::string_view scope, std::string_view key) {
  if (key.size() > max_note_key) throw std::length_error("index: key of a note too long");
  return scope_key(scope).text(key);
}

}  // namespace

std::optional<std::string> note(const View& view, std::string_view scope, std::string_view key) {
  const auto value = view.get(Space::notes, note_key(scope, key));
  if (!value) return std::nullopt;
  return std::string(base::as_text(*value));
}

void set_note(Batch& batch, std::string_view scope, std::string_view key, std::string_view value) {
  batch.put(Space::notes, note_key(scope, key), base::as_bytes(value));
}

void erase_note(Batch& batch, std::string_view scope, std::string_view key) {
  batch.erase(Space::notes, note_key(scope, key));
}

std::vector<Note> notes(const View& view, std::string_view scope, std::string_view after,
                        std::size_t limit) {
  std::vector<Note> found;
  if (limit == 0) return found;
  const Key prefix = scope_key(scope);
  const Key start = note_key(scope, after);
  view.scan(Space::notes, prefix, start, [&](base::ByteView key, base::ByteView value) {
    found.push_back({std::string(base::as_text(key.subspan(base::ByteView(prefix).size()))),
                     std::string(base::as_text(value))});
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
}

}  // namespace entrepot::index
