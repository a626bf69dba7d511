// What others keep in the index for themselves, so that it survives restarts and changes in one
// transaction with what it speaks of: replication's positions and waiting items.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/index/index.hpp"

namespace entrepot::index {

// A scope is the room's word for one kind of note; no scope has a NUL in it. A longer scope or key
// is std::length_error: who makes keys of others' words hashes them.
inline constexpr std::size_t max_note_scope = 96;
inline constexpr std::size_t max_note_key = 400;

std::optional<std::string> note(const View& view, std::string_view scope, std::string_view key);
void set_note(Batch& batch, std::string_view scope, std::string_view key, std::string_view value);
void erase_note(Batch& batch, std::string_view scope, std::string_view key);  // absent is fine

struct Note {
  std::string key;
  std::string value;
};
// Up to `limit` notes of a scope in byte order of their keys after `after`.
std::vector<Note> notes(const View& view, std::string_view scope, std::string_view after,
                        std::size_t limit);

}  // namespace entrepot::index
