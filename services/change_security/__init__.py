"""Change security (muutosturva): an employer's change-situation notice reaches every affected authority."""
