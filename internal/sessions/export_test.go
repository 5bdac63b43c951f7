package sessions

// NewID lets the tests outside see what IDs are made of.
func NewID() string { return string(newID()) }
