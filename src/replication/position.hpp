// How far a rule has come in its peer's Journal: written in the transaction that applies what lies
// before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "entrepot/index/index.hpp"
#include "entrepot/replication/rule.hpp"

namespace entrepot::replication {

struct Position {
  std::string site{};       // of the peer
  std::string journal{};    // a row's number means nothing in another one
  std::string coverage{};   // coverage_of() the rule that came so far: another one has to look back
  std::uint64_t since = 0;  // up to and with this row everything is applied
  bool operator==(const Position&) const = default;
};

// Absent when the rule has never followed.
std::optional<Position> read_position(const index::View& view, const std::string& rule);
// Never back within one Journal: two may follow it at once.
void write_position(index::Batch& batch, const std::string& rule, const Position& position);

// A digest of which rows a rule takes and where they go.
std::string coverage_of(const Rule& rule);

}  // namespace entrepot::replication
