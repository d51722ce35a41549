#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

// JSON's members are compiled once (cmake/json_instantiation.cpp) and not again in every source that touches one.
extern template class nlohmann::basic_json<>;
