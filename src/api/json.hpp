// What the JSON answers of our own share.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "entrepot/base/clock.hpp"
#include "entrepot/http/message.hpp"

namespace entrepot::api {

// Never kept by anybody: these answers speak of this moment, or of one caller.
http::Reply fresh_json(int status, const boost::json::object& body);

// RFC 3339 in UTC, to the second: "2026-11-21T07:00:00Z".
std::string timestamp(base::WallTime time);

}  // namespace entrepot::api
