"""The texts of the product in every language, and how they are collected."""
