#pragma once
// A summary buffer: ITEM_TABLE, the lengths of the items, then each name followed by its typed value.

#include <string>
#include <string_view>
#include <vector>

#include "types.h"

namespace domino_sim {

class Summary {
public:
    void addText(std::string_view name, std::string_view lmbcs);
    void addNumber(std::string_view name, double value);
    void addTime(std::string_view name, const TimeDate& value);

    std::string bytes() const;

private:
    struct Item {
        std::string name;
        std::string value;  // including its type
    };

    std::vector<Item> items_;
};

}  // namespace domino_sim
