package catalog

import "coatcheck/internal/money"

// Product is one thing on the rail.
type Product struct {
	ID          int64
	Slug        string // names the product in addresses and forms
	Name        string
	Category    string
	Description string
	Price       money.Cents
	Stock       int // pieces left
}

// few is the stock at which a page says how many are left.
const few = 5

// SoldOut reports whether none is left.
func (p Product) SoldOut() bool { return p.Stock == 0 }

// Few reports whether so few are left that a buyer should know.
func (p Product) Few() bool { return p.Stock > 0 && p.Stock <= few }

// Picture is the product's drawing, as a path below static/, if it has one.
func (p Product) Picture() string { return "products/" + p.Slug + ".svg" }
