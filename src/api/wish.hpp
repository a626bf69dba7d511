// What a request asks for in its body: one JSON object, for lists longer than any query may be.
#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/http/message.hpp"

namespace entrepot::api {

inline constexpr std::size_t most_wish_bytes = std::size_t{4} << 20;
// Of each list.
inline constexpr std::size_t most_wish_texts = 20'000;

class Wish {
 public:
  // `example`: what was expected, for people; outlives it.
  Wish(boost::json::object body, std::string_view example)
      : body_(std::move(body)), example_(example) {}

  // A list of texts, and a flag; empty and false when they are not there. Throw bad_request when
  // they are something else.
  std::vector<std::string> texts(std::string_view key) const;
  bool flag(std::string_view key) const;

 private:
  boost::json::object body_;
  std::string_view example_;
};

// A body without bytes is an object without members. Throws request_too_large; bad_request when it
// is no such object, or has other members than `keys`: what was misspelt would be left out
// silently.
async::Task<Wish> read_wish(http::RequestBody& body, std::string_view example,
                            std::initializer_list<std::string_view> keys);

}  // namespace entrepot::api
