// Strict reading of JSON that somebody signed: whatever is not as it must be is Malformed, a
// sentence for people. Bounded in depth; numbers are whole and not negative.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::transfer {

class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

boost::json::object read_object(std::string_view text);

// Members that must be there.
const boost::json::value& member_of(const boost::json::object& object, std::string_view key);
const boost::json::array& array_of(const boost::json::object& object, std::string_view key);
const boost::json::object& object_of(const boost::json::object& object, std::string_view key);
std::string text_of(const boost::json::object& object, std::string_view key);
std::uint64_t number_of(const boost::json::object& object, std::string_view key);

// Items of a list that stands for a record; absent ones are malformed.
const boost::json::array& row_of(const boost::json::value& value, std::size_t least);
std::string text_at(const boost::json::array& row, std::size_t place);
std::uint64_t number_at(const boost::json::array& row, std::size_t place);
oci::Digest digest_at(const boost::json::array& row, std::size_t place);

// As many as a file can have; sums of fewer than a million such do not overflow.
inline constexpr std::uint64_t largest_number = 1ULL << 43U;

bool is_hex(std::string_view text, std::size_t length);

}  // namespace entrepot::transfer
