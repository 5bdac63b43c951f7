package orders

import (
	"time"

	"coatcheck/internal/money"
)

// Order is what a user bought, as it was on the day.
type Order struct {
	Number    int64
	Name      string // whom it goes to
	Address   string // where; may have several lines
	Total     money.Cents
	Pieces    int // over all items
	CreatedAt time.Time
	Items     []Item // nil in a list of orders
}

// Item is one product of an order, at the price of the day.
type Item struct {
	Slug     string
	Name     string
	Price    money.Cents // of one piece
	Quantity int
}

// Total is the price of all pieces of the item.
func (i Item) Total() money.Cents { return i.Price.Times(i.Quantity) }

// Picture is the product's drawing, as a path below static/.
func (i Item) Picture() string { return "products/" + i.Slug + ".svg" }
