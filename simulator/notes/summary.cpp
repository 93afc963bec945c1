#include "summary.h"

namespace domino_sim {

namespace {

enum ItemType : std::uint16_t { kNumber = 0x0300, kTime = 0x0400, kText = 0x0500 };

template <typename Value>
std::string raw(const Value& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string word(std::size_t value) {
    return raw(static_cast<std::uint16_t>(value));
}

}  // namespace

void Summary::addText(std::string_view name, std::string_view lmbcs) {
    items_.push_back({std::string(name), word(kText) + std::string(lmbcs)});
}

void Summary::addNumber(std::string_view name, double value) {
    items_.push_back({std::string(name), word(kNumber) + raw(value)});
}

void Summary::addTime(std::string_view name, const TimeDate& value) {
    items_.push_back({std::string(name), word(kTime) + raw(value)});
}

std::string Summary::bytes() const {
    std::string lengths;
    std::string contents;
    for (const Item& item : items_) {
        lengths += word(item.name.size()) + word(item.value.size());
        contents += item.name + item.value;
    }
    const std::size_t total = 2 * sizeof(std::uint16_t) + lengths.size() + contents.size();
    return word(total) + word(items_.size()) + lengths + contents;
}

}  // namespace domino_sim
