// How commands read JSON answers and print numbers.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/commands/site.hpp"

namespace entrepot::app::commands {

// The object a good answer holds; an empty one when it holds none.
boost::json::object object_of(std::string_view body);
// A member; empty or 0 when it is not there or something else. Of a text every control character
// becomes '?', for it may be somebody else's and goes to a terminal.
std::string text_of(const boost::json::object& object, std::string_view key);
std::uint64_t number_of(const boost::json::object& object, std::string_view key);
bool truth_of(const boost::json::object& object, std::string_view key);
// An array of objects; empty when it is not there.
std::vector<boost::json::object> objects_of(const boost::json::object& object,
                                            std::string_view key);

// "1.5 GiB", "12 bytes".
std::string size_text(std::uint64_t bytes);
// "1 blob", "2 blobs".
std::string count_text(std::uint64_t count, std::string_view noun);

// REPOSITORY, REPOSITORY:TAG or REPOSITORY@DIGEST; a ':' after the last '/' begins the tag.
struct Image {
  std::string repository;
  std::string reference;  // empty: none was named
};
Image split_image(std::string_view text);

}  // namespace entrepot::app::commands
