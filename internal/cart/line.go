package cart

import "coatcheck/internal/money"

// MaxQuantity is the most pieces of one product that a cart may hold.
const MaxQuantity = 20

// Line is one product in a cart, with what the shop has of it now.
type Line struct {
	ProductID int64
	Slug      string
	Name      string
	Price     money.Cents // of one piece
	Quantity  int
	Stock     int // pieces that the shop has
}

// Total is the price of the whole line.
func (l Line) Total() money.Cents { return l.Price.Times(l.Quantity) }

// Short reports whether the shop has fewer pieces than the line asks for.
func (l Line) Short() bool { return l.Quantity > l.Stock }

// Most is the highest quantity that the line can be set to now.
func (l Line) Most() int { return min(l.Stock, MaxQuantity) }

// Picture is the product's drawing, as a path below static/.
func (l Line) Picture() string { return "products/" + l.Slug + ".svg" }

// Total is the price of all lines together.
func Total(lines []Line) money.Cents {
	var sum money.Cents
	for _, l := range lines {
		sum += l.Total()
	}
	return sum
}
